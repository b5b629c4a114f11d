"""Every key of the schema is violated in turn, and the refusal names it."""

import copy
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
CONFIG = yaml.safe_load((ROOT / "workflow/config/smoke.yaml").read_text())
PAPER = yaml.safe_load((ROOT / "workflow/config/paper.yaml").read_text())
MODELS = {name: entry for name, entry in SCHEMA["$defs"].items() if "model" in entry.get("properties", {})}


def resolved(schema):
    """A schema with its reference followed."""
    if "$ref" in schema:
        return SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]] | {k: v for k, v in schema.items() if k != "$ref"}
    return schema


def example(schema):
    """A value that satisfies a schema of the kinds used here."""
    schema = resolved(schema)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "oneOf" in schema:
        return example(schema["oneOf"][0])
    kind = schema["type"]
    if kind == "object":
        return {key: example(schema["properties"][key]) for key in schema.get("required", [])}
    if kind == "array":
        return [example(schema["items"])] * schema.get("minItems", 1)
    return {"boolean": True, "string": "x", "integer": schema.get("minimum", 1), "number": 0.5}[kind]


def violations(schema):
    """Values that a schema must refuse: of another type, and just beyond each of its limits."""
    schema = resolved(schema)
    yield "no object" if schema.get("type") == "object" else {"wrong": 1}
    if "enum" in schema or "const" in schema:
        yield "no such value"
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "maximum" in schema:
        yield schema["maximum"] + 1
    for key in ("exclusiveMinimum", "exclusiveMaximum"):
        if key in schema:
            yield schema[key]
    if schema.get("type") == "array":
        if schema.get("minItems"):
            yield []
        if schema.get("uniqueItems"):
            yield [example(schema["items"])] * 2
        yield list(violations(schema["items"]))[:1]


def places():
    """Every key of the schema: its path in a configuration, and its schema."""
    for key, value in SCHEMA["properties"].items():
        yield (key,), value
    for key, value in SCHEMA["properties"]["policies"]["properties"].items():
        yield ("policies", key), value
    for key, value in SCHEMA["properties"]["sac"]["additionalProperties"]["properties"].items():
        yield ("sac", next(iter(CONFIG["sac"])), key), value
    for key, value in SCHEMA["properties"]["instances"]["additionalProperties"]["properties"].items():
        yield ("instances", "relay", key), value
    for model, entry in MODELS.items():
        for key, value in entry["properties"].items():
            yield ("instances", f"of_{model}", "spec", key), value
            if resolved(value).get("type") == "object":
                for inner, below in resolved(value).get("properties", {}).items():
                    yield ("instances", f"of_{model}", "spec", key, inner), below


def specification(model):
    """A valid specification of a model: one of the configurations', or the least that the schema asks for."""
    specs = [entry["spec"] for config in (CONFIG, PAPER) for entry in config["instances"].values()]
    return copy.deepcopy(next((spec for spec in specs if spec["model"] == model), None) or example(MODELS[model]))


def valid_configuration():
    config = copy.deepcopy(CONFIG)
    for model in MODELS:
        config["instances"][f"of_{model}"] = {"exact": "tables", "spec": specification(model)}
    return config


def with_value(path, value):
    """A valid configuration but for `value` at `path`."""
    config = valid_configuration()
    place = config
    for key in path[:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = value
    return config


CASES = [(path, wrong) for path, schema in places() for wrong in violations(schema)]


def test_the_configuration_they_are_put_into_is_valid():
    assert best_match(VALIDATOR.iter_errors(valid_configuration())) is None
    assert len(CASES) > 80


@pytest.mark.parametrize(
    ("path", "wrong"), CASES, ids=lambda value: ".".join(value) if isinstance(value, tuple) else None
)
def test_a_violated_key_is_refused_by_name(path, wrong):
    fault = best_match(VALIDATOR.iter_errors(with_value(path, wrong)))
    assert fault is not None, f"{'.'.join(path)} = {wrong!r} is accepted"
    found = ".".join(map(str, fault.absolute_path))
    # A model that does not exist is refused with everything that belongs to it.
    assert found.startswith(".".join(path)) or path[-1] in {"model", "exact"}, f"{found}: {fault.message}"


@pytest.mark.parametrize("path", sorted({path[:-1] for path, _ in CASES}), ids=".".join)
def test_an_unknown_key_is_refused_by_name(path):
    fault = best_match(VALIDATOR.iter_errors(with_value((*path, "unheard_of"), 1)))
    assert fault is not None
    assert "unheard_of" in fault.message or "unheard_of" in ".".join(map(str, fault.absolute_path))


@pytest.mark.parametrize("key", SCHEMA["required"])
def test_a_missing_key_is_refused_by_name(key):
    config = valid_configuration()
    del config[key]
    assert key in best_match(VALIDATOR.iter_errors(config)).message
