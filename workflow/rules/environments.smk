rule environments:
    """How D_i(κ) decays in each application of the introduction, next to what the influence matrix certifies."""
    input:
        exact=[
            f"results/exact/{name}.npz" for name in ENVIRONMENTS if name in EVALUATED
        ],
        files=[path for name in CERTIFIED for path in NETWORK_FILES[name]],
    output:
        "results/environments.csv",
    log:
        "logs/environments.log",
    benchmark:
        "logs/benchmarks/environments.tsv"
    params:
        certified=json.dumps({name: INSTANCES[name]["spec"] for name in CERTIFIED}),
        code=job_digest("environments"),
    shell:
        "python -m sacrepro environments {input.exact:q} --certified {params.certified:q}"
        " --output {output:q} > {log:q} 2>&1"


rule table1:
    """Table 1 of the paper as numbers: what truncation and a sum of single-agent functions do in each setting."""
    input:
        [f"results/exact/{name}.npz" for name in SETTINGS],
    output:
        csv="results/table1.csv",
        markdown="results/table1.md",
    log:
        "logs/table1.log",
    benchmark:
        "logs/benchmarks/table1.tsv"
    params:
        settings=json.dumps(SETTINGS),
        code=job_digest("table1"),
    shell:
        "python -m sacrepro table1 {input:q} --settings {params.settings:q} --markdown {output.markdown:q}"
        " --output {output.csv:q} > {log:q} 2>&1"
