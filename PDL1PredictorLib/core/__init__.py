"""The words that every room speaks: errors, case, settings, results, progress."""
