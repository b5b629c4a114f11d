for place, (own, names, rows, reads) in PLAN.processes.items():
    label, job = place.replace("/", "_of_"), own.name.replace("_", "-")
    words = (
        "--instance {instance}" if own.per == "instance" else "results/sac/{run}.npz"
    )

    rule:
        name:
            label
        input:
            expand("logs/compiled/{kernels}.txt", kernels=own.warm),
            reads,
        output:
            rows,
        log:
            f"logs/{place}.log",
        benchmark:
            f"logs/benchmarks/{place}.tsv"
        resources:
            mem_mb=1500,
        params:
            jobs=process(
                job,
                f"{words} --output results/{own.name}/{{{own.per}}}.csv",
                **{own.per: names},
            ),
            code=code(job),
        shell:
            "python -m sacrepro.study --mem-mb {resources.mem_mb} {params.jobs} > {log:q} 2>&1"

    # A docstring between `rule` and `name` would have to be a literal.
    getattr(rules, label).rule.docstring = jobs.about(job, jobs.JOBS)[0]


rule summaries:
    """Interquartile means over seeds with bootstrap intervals, and which κ is best at which sample budget."""
    input:
        [PLAN.rows[kind] for kind in PLAN.summarised],
    output:
        summaries=expand("results/summaries/{kind}.csv", kind=PLAN.summarised),
        best="results/best_kappa.csv",
    log:
        "logs/summaries.log",
    benchmark:
        "logs/benchmarks/summaries.tsv"
    resources:
        mem_mb=1000,
    params:
        jobs=process(
            "summary",
            "{kind} {rows} --output results/summaries/{kind}.csv",
            kind=PLAN.summarised,
            rows=[" ".join(PLAN.rows[kind]) for kind in PLAN.summarised],
        ),
        compared=expand("results/summaries/{kind}.csv", kind=PLAN.by_kappa),
        code=code("summary", "best-kappa"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} {params.jobs} --then best-kappa {params.compared:q}"
        " --output {output.best:q} > {log:q} 2>&1"
