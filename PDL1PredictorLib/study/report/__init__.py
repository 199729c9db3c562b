"""The report of a study: document, page, figures."""

from PDL1PredictorLib.core.files.cache_folders import keep_fonts_here

keep_fonts_here()  # the figures of this room load matplotlib
