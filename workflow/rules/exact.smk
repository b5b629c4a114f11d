rule warm:
    """Compile the kernels of one kind of job once, so that parallel jobs do not compile them at the same time."""
    output:
        "logs/compiled/{kernels}.txt",
    log:
        "logs/warm/{kernels}.log",
    benchmark:
        "logs/benchmarks/warm/{kernels}.tsv"
    resources:
        mem_mb=1500,
    params:
        code=code("warm {kernels}"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} warm {wildcards.kernels} --output {output:q} > {log:q} 2>&1"


rule exact:
    """Section 2: V_i, π^θ, D_i(κ), ∇J and J of one instance by exact dynamic programming."""
    input:
        "logs/compiled/exact.txt",
        planned(PLAN.network_files, "instance"),
    output:
        "results/exact/{instance}.npz",
    log:
        "logs/exact/{instance}.log",
    benchmark:
        "logs/benchmarks/exact/{instance}.tsv"
    resources:
        mem_mb=2000,
    params:
        options=options("exact"),
        code=code("exact"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} exact --instance {wildcards.instance:q} {params.options}"
        " --output {output:q} > {log:q} 2>&1"
