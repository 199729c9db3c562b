"""Scripting the module in Slicer's Python console: no window is needed. `docs/slicer.md` quotes this file."""

# --- load a case: any CT volume and any segmentation will do
import SampleData
import slicer

from PDL1Predictor import PDL1PredictorLogic

ctNode, segmentationNode = SampleData.SampleDataLogic().downloadSamples("PDL1SamplePatient")
segmentID = segmentationNode.GetSegmentation().GetNthSegmentID(0)

# --- a prediction that waits
logic = PDL1PredictorLogic()
result = logic.predict(ctNode, segmentationNode, segmentID, model="phantom-demo", device="cpu")
for name in result.endpoints:
    answer = result.endpoint(name)
    if answer["verdict"]["status"] == "answered":  # else there is a number, but it is no answer
        low, high = answer["uncertainty"] or answer["interval"]
        print(f"{answer['title']}: {answer['probability']:.1%} ({low:.0%} to {high:.0%}), {answer['verdict']['call']}")
    else:
        print(f"{answer['title']}: {answer['verdict_text']}")

# --- one that does not wait: it goes on in the background while Slicer stays usable
ends = []
prediction = logic.predict(
    ctNode,
    segmentationNode,
    segmentID,
    clinical={"age_years": 61, "sex": "female"},  # written into the report
    wait=False,
    onProgress=lambda stage, fraction, text, seconds: print(f"{fraction:4.0%} {text}"),
    onEnd=lambda outcome, result: ends.append((outcome.kind, result)),
)
prediction.cancel()  # leaves no process and no file
while not ends:
    slicer.app.processEvents()
print(ends[0][0])  # cancelled; "done" when it was let run

# --- the result stays in the scene, and is saved with it
print(result.heat_maps["PDL1"].GetName())
