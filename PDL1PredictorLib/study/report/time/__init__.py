"""Times until an event in the report of a study: their measures, figures and words."""
