"""A result as DICOM objects of the patient's study: segmentation, report of measures, heat maps, the report as PDF."""
