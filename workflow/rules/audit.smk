rule witnesses:
    """Sentences that are false as written, or with one hypothesis less: both sides where they fail."""
    input:
        "logs/compiled/exact.txt",
    output:
        "results/witnesses.csv",
    log:
        "logs/witnesses.log",
    benchmark:
        "logs/benchmarks/witnesses.tsv"
    params:
        code=job_digest("witnesses"),
    shell:
        "python -m sacrepro witnesses --output {output:q} > {log:q} 2>&1"


rule falsify:
    """Wrong bounds, planted on purpose: which comparisons catch them."""
    input:
        "logs/compiled/exact.txt",
    output:
        "results/falsification.csv",
    log:
        "logs/falsification.log",
    benchmark:
        "logs/benchmarks/falsification.tsv"
    params:
        code=job_digest("falsify"),
    shell:
        "python -m sacrepro falsify --output {output:q} > {log:q} 2>&1"


rule adversary:
    """The largest left/right that a search over models, policies and weights reaches, for each reading of a claim."""
    input:
        "logs/compiled/exact.txt",
    output:
        found="results/adversary/{attacked}.csv",
        models="results/adversary/{attacked}.npz",
    log:
        "logs/adversary/{attacked}.log",
    benchmark:
        "logs/benchmarks/adversary/{attacked}.tsv"
    params:
        evaluations=ADVERSARY["evaluations"],
        seed=ADVERSARY["seed"],
        code=attack_code,
    shell:
        "python -m sacrepro adversary {wildcards.attacked:q} --evaluations {params.evaluations} --seed {params.seed}"
        " --models {output.models:q} --output {output.found:q} > {log:q} 2>&1"


rule adversary_table:
    """What the adversary reached, for all claims."""
    input:
        expand("results/adversary/{attacked}.csv", attacked=ATTACKED),
    output:
        "results/adversary.csv",
    log:
        "logs/adversary.log",
    benchmark:
        "logs/benchmarks/adversary.tsv"
    params:
        code=job_digest("adversary_table"),
    shell:
        "python -m sacrepro adversary-table {input:q} --output {output:q} > {log:q} 2>&1"


rule scale:
    """Influence bounds for every agent of a large network, and intervals for D_i(κ) around some of them."""
    input:
        "logs/compiled/exact.txt",
        read_by("scale", SCALE["spec"]),
    output:
        "results/scale.csv",
    log:
        "logs/scale.log",
    benchmark:
        "logs/benchmarks/scale.tsv"
    params:
        spec=json.dumps(SCALE["spec"], sort_keys=True),
        agents=SCALE["agents"],
        kappa_max=SCALE["kappa_max"],
        tol=SCALE["tol"],
        code=job_digest("scale"),
    shell:
        "python -m sacrepro scale --instance large --spec {params.spec:q} --agents {params.agents}"
        " --kappa-max {params.kappa_max} --tol {params.tol} --output {output:q} > {log:q} 2>&1"
