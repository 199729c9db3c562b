"""The models of a study, by name."""

RADIOMICS, DEEP, FUSED, VOLUME = "Radiomics-Score", "Deep-CT", "Deep-RadScore", "Tumor volume"
MODELS = (RADIOMICS, DEEP, FUSED, VOLUME)  # the last one is what any model has to beat
