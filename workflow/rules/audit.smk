rule counterexamples:
    """Sentences that are false as written, or with one hypothesis less: both sides where they fail."""
    input:
        expand("logs/compiled/{kernels}.txt", kernels=["exact", "learn"]),
    output:
        "results/counterexamples.csv",
    log:
        "logs/counterexamples.log",
    benchmark:
        "logs/benchmarks/counterexamples.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("counterexamples"),
        code=code("counterexamples"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} counterexamples {params.options} --output {output:q} > {log:q} 2>&1"


rule falsify:
    """Wrong bounds, planted on purpose: which comparisons catch them."""
    input:
        expand("logs/compiled/{kernels}.txt", kernels=["exact", "learn"]),
    output:
        "results/falsification.csv",
    log:
        "logs/falsification.log",
    benchmark:
        "logs/benchmarks/falsification.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("falsify"),
        code=code("falsify"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} falsify {params.options} --output {output:q} > {log:q} 2>&1"


rule adversary:
    """The largest left/right that a search over models, policies and weights reaches, for each variant of each claim."""
    input:
        "logs/compiled/exact.txt",
    output:
        found=expand("results/adversary/{claim}.csv", claim=PLAN.attacked),
        models=expand("results/adversary/{claim}.npz", claim=PLAN.attacked),
        table="results/adversary.csv",
    log:
        "logs/adversary.log",
    benchmark:
        "logs/benchmarks/adversary.tsv"
    resources:
        mem_mb=1500,
    params:
        jobs=process(
            "adversary",
            "{claim} --models results/adversary/{claim}.npz --output results/adversary/{claim}.csv",
            claim=PLAN.attacked,
        ),
        code=code("adversary", "adversary-table", claims=PLAN.attacked),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} {params.jobs}"
        " --then adversary-table {output.found:q} --output {output.table:q} > {log:q} 2>&1"


rule scale:
    """Influence bounds for every agent of a large network, and intervals for D_i(κ) around some of them."""
    input:
        "logs/compiled/exact.txt",
        PLAN.scale_files,
    output:
        "results/scale.csv",
    log:
        "logs/scale.log",
    benchmark:
        "logs/benchmarks/scale.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("scale"),
        code=code("scale"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} scale --instance large {params.options}"
        " --output {output:q} > {log:q} 2>&1"
