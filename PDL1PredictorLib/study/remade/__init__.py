"""Reports of studies, evaluations and survival that are made again from what lies in their folder."""
