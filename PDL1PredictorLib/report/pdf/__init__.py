"""The report as a PDF for paper and archive: everything that the page folds away is open here."""
