"""The models of a study, by name."""

from PDL1PredictorLib.core.roles import Role

RADIOMICS, DEEP, FUSED, VOLUME = "Radiomics-Score", "Deep-CT", "Deep-RadScore", "Tumor volume"
MODELS = (RADIOMICS, DEEP, FUSED, VOLUME)  # the last one is what any model has to beat
ROLES: dict[str, Role] = {RADIOMICS: "part", DEEP: "part", FUSED: "lead", VOLUME: "baseline"}
