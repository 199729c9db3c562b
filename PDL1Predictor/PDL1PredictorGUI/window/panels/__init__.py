"""Panels of the sections: the list of tumors, the earlier study, what a run will take."""
