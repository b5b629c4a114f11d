"""Notes which modules of the package each process loads: as `sitecustomize`, first on the path of a run."""

RECORDER = """
import atexit, json, os, sys, tempfile

@atexit.register
def note():
    names = sorted(name for name in sys.modules if name.partition(".")[0] == "sacrepro")
    if names and sys.argv[0].endswith("sacrepro/study/__main__.py"):
        handle, path = tempfile.mkstemp(dir=os.environ["SACREPRO_RECORDED"], suffix=".json")
        with os.fdopen(handle, "w") as file:
            json.dump({"words": sys.argv[1:], "modules": names}, file)
"""


def recording(folder):
    """The environment of a run whose processes write down in `folder` what they loaded."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "sitecustomize.py").exists():  # another process of this session may have begun the run
        (folder / "sitecustomize.py").write_text(RECORDER)
    return {"SACREPRO_RECORDED": str(folder), "PYTHONPATH": str(folder)}
