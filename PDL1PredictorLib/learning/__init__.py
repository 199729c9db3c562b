"""Learning from prepared cases: selection, cross-fitting, classifiers, export; needs the extra `train`."""
