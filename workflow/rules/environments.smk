rule environments:
    """How D_i(κ) decays in each application of the introduction, next to what the influence matrix certifies."""
    input:
        [f"results/exact/{name}.npz" for name in ENVIRONMENTS if name in EVALUATED],
    output:
        "results/environments.csv",
    log:
        "logs/environments.log",
    benchmark:
        "logs/benchmarks/environments.tsv"
    params:
        certified=specs_without_exact_values(ENVIRONMENTS),
        code=code_digest("sacrepro.claims.environments", "sacrepro.instances"),
    shell:
        "python -m sacrepro environments {input:q} --certified {params.certified:q}"
        " --output {output:q} > {log:q} 2>&1"
