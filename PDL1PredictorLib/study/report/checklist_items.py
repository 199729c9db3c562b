"""The items of three checklists of radiomic and prediction studies, each in a few words of our own.

An item's last word says which answer of `study.checklists` fills it; empty where only the authors can.

Sources: CLEAR, Kocak et al. 2023, doi 10.1186/s13244-023-01415-8 (58 items). METRICS, Kocak et al. 2024,
doi 10.1186/s13244-023-01572-w (30 items). TRIPOD+AI, Collins et al. 2024, doi 10.1136/bmj-2023-078378 (27 items, 52
with their parts). The numbers are theirs; whoever files a checklist fills in the published form.
"""

from typing import NamedTuple


class Item(NamedTuple):
    """One item.

    Attributes:
        number: As in the checklist, such as `12a`.
        section: Part of the paper or of the score that it belongs to.
        words: What it asks for.
        answer: Key of the answer that a run gives, or empty.
    """

    number: str
    section: str
    words: str
    answer: str


class Checklist(NamedTuple):
    """One checklist.

    Attributes:
        name: Short name.
        title: What it stands for.
        source: Where it is published.
        items: All of them, in its order.
    """

    name: str
    title: str
    source: str
    items: tuple[Item, ...]


def _items(text: str) -> tuple[Item, ...]:
    """Items of lines `number | words | answer`, below a line `# section`."""
    rows, section = [], ""
    for line in text.strip().splitlines():
        if line.startswith("#"):
            section = line.removeprefix("# ")
            continue
        number, words, answer = (part.strip() for part in line.split("|"))
        rows.append(Item(number, section, words, answer))
    return tuple(rows)


CLEAR = Checklist(
    "CLEAR",
    "CheckList for EvaluAtion of Radiomics research",
    "Kocak et al., Insights Imaging 2023, doi 10.1186/s13244-023-01415-8",
    _items("""
# Title, abstract, keywords
1 | Title names the radiomic method |
2 | Structured summary |
3 | Radiomics keywords |
# Introduction
4 | Clinical or scientific background |
5 | Why radiomics |
6 | Objectives |
# Study design
7 | Checklists adhered to | checklists
8 | Ethics, consent, data protection |
9 | How the sample size came about | sample_size
10 | Prospective or retrospective |
11 | Inclusion and exclusion criteria |
12 | Chart of the technical pipeline |
# Data
13 | Source of the data | sources
14 | Overlap with earlier publications |
15 | How the data were split | split
16 | Imaging protocol |
17 | Predictors that are not radiomic | volume
18 | Reference standard | outcome
# Segmentation
19 | How regions were segmented | segmentation
20 | Who segmented |
# Pre-processing
21 | Image pre-processing | images
22 | Resampling | images
23 | Gray-level discretization | features
24 | Image types, filters | features
# Feature extraction
25 | Extraction software | software
26 | Feature classes | features
27 | Number of features | features
28 | What was left at its default | settings
# Data preparation
29 | Missing data | missing
30 | Class imbalance | imbalance
31 | Reliability under other segmentations |
32 | Scaling of features | scaling
33 | Dimension reduction | selection
# Modeling
34 | Algorithms | algorithms
35 | Training and tuning | training
36 | Confounders |
37 | How the model was chosen | model_choice
# Evaluation
38 | Testing: internal or external | testing
39 | Performance measures | measures
40 | Uncertainty | uncertainty
41 | Statistical comparison | comparison
42 | Comparison with non-radiomic methods | volume
43 | Interpretability | interpretation
# Results
44 | Baseline characteristics | table_1
45 | Flow of eligible cases | flow
46 | Feature statistics | selected
47 | Performance | performance
48 | Results against non-radiomic methods | volume
# Discussion
49 | Overview of findings |
50 | Earlier work |
51 | Practical implications |
52 | Strengths and limitations |
# Open science
53 | Images and masks shared |
54 | Feature data shared |
55 | Pre-processing scripts or settings shared | settings
56 | Modeling code shared | code
57 | Model files shared |
58 | Ready-to-use system shared |
"""),
)

METRICS = Checklist(
    "METRICS",
    "METhodological RadiomICs Score",
    "Kocak et al., Insights Imaging 2024, doi 10.1186/s13244-023-01572-w",
    _items("""
# Study design
1 | Checklists adhered to | checklists
2 | Eligibility gives a representative population |
3 | Reference standard of high quality | outcome
# Imaging data
4 | More than one center |
5 | Imaging as in clinical practice |
6 | Acquisition protocol |
7 | Time between imaging and reference standard |
# Segmentation
8 | Segmentation described | segmentation
9 | Automatic segmentation evaluated |
10 | Test masks by a single reader or tool |
# Image processing and feature extraction
11 | Image pre-processing | images
12 | Standardized extraction software | software
13 | Extraction parameters | features
# Feature processing
14 | Unstable features removed |
15 | Redundant features removed | selection
16 | Number of features fits the number of cases | selected
17 | Robustness of the deep pipeline |
# Preparation for modeling
18 | Proper partitioning | split
19 | Confounders |
# Metrics and comparison
20 | Suitable performance measures | measures
21 | Uncertainty | uncertainty
22 | Calibration | calibration
23 | One kind of imaging, or proof that more is needed | imaging
24 | Against a non-radiomic approach | volume
25 | Against simple models | volume
# Testing
26 | Internal testing | testing
27 | External testing |
# Open science
28 | Data available |
29 | Code available | code
30 | Model available |
"""),
)

TRIPOD_AI = Checklist(
    "TRIPOD+AI",
    "Transparent reporting of a multivariable prediction model, with artificial intelligence",
    "Collins et al., BMJ 2024, doi 10.1136/bmj-2023-078378",
    _items("""
# Title and abstract
1 | Title: model, population, outcome |
2 | Abstract by its own checklist |
# Introduction
3a | Context and rationale |
3b | Target population, purpose, users |
3c | Known health inequalities |
4 | Objectives |
# Methods: data and participants
5a | Sources of the data | sources
5b | Dates |
6a | Setting, centers |
6b | Eligibility |
6c | Treatments |
7 | Pre-processing and quality checks | images
# Methods: outcome and predictors
8a | Outcome and how it was assessed | outcome
8b | Who assessed it |
8c | Blinding of its assessment |
9a | Initial choice of predictors | features
9b | Predictors defined | features
9c | Who assessed them |
# Methods: analysis
10 | Study size | sample_size
11 | Missing data | missing
12a | How the data were used, partitions | split
12b | How predictors were handled | scaling
12c | Type of model, building, tuning, internal validation | algorithms
12d | Heterogeneity across clusters |
12e | Measures and plots of performance | measures
12f | Updating after evaluation | updating
12g | How predictions were calculated | predictions
13 | Class imbalance | imbalance
14 | Fairness |
15 | Output and thresholds | output
16 | Differences between development and evaluation data | development
17 | Ethical approval |
# Open science
18a | Funding |
18b | Conflicts of interest |
18c | Protocol |
18d | Registration |
18e | Data sharing |
18f | Code sharing | code
19 | Patient and public involvement |
# Results
20a | Flow of participants | flow
20b | Characteristics | table_1
20c | Development and evaluation data compared |
21 | Cases and events in each analysis | counts
22 | The full model | model
23a | Performance with intervals | performance
23b | Heterogeneity across clusters |
24 | Updated model | updating
# Discussion
25 | Interpretation |
26 | Limitations |
27a | Poor or missing input when used |
27b | Users' interaction and expertise |
27c | Next steps |
"""),
)

CHECKLISTS = (CLEAR, METRICS, TRIPOD_AI)
