"""Training and evaluation on cohorts; needs the extra `train`."""

import os

from PDL1PredictorLib.core.cache_folders import user_cache

# matplotlib, which draws the figures, keeps a list of fonts. Unless the user says where, it lies with our own caches;
# matplotlib reads this when it is imported, which happens in this room only.
os.environ.setdefault("MPLCONFIGDIR", str(user_cache() / "matplotlib"))
