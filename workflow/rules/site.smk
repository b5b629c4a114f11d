rule site:
    """The pages, verdicts, claims, instances, explorer and reference as HTML that fetches nothing; made when asked for."""
    input:
        claims="results/claims.csv",
        catalog=CATALOG,
        config="results/config.json",
        formal="results/formal.csv",
        rows=[
            f"results/claims/{bound}.csv"
            for bound in ("lemma3", "influence")
            if bound in PLAN.claims
        ],
        exact=plan.exact(PLAN.evaluated),
        figures=[f"{FIGURES}/{figure}.svg" for figure in PLAN.drawn],
        page=paper("proofs.md"),
        pages=sorted(
            path.as_posix()
            for pattern in ("*.md", "paper/*.md", "paper/*.ipynb", "paper/site/**/*.*")
            for path in Path(ROOT).glob(pattern)
        ),
    output:
        "results/site/index.html",
    log:
        "logs/site.log",
    benchmark:
        "logs/benchmarks/site.tsv"
    resources:
        mem_mb=1500,
    params:
        template=paper("site"),
        code=code("site"),
        words=source_digest("sacrepro"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} site {input.claims:q} --catalog {input.catalog:q}"
        " --config {input.config:q} --formal {input.formal:q} {input.page:q} --rows {input.rows:q} --exact {input.exact:q}"
        " --figures {input.figures:q} --template {params.template:q} --output {output:q} > {log:q} 2>&1"
