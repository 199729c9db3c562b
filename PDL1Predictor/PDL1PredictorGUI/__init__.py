"""Pages of the Slicer module, one idea each; the only code besides PDL1Predictor.py that knows Slicer and Qt."""
