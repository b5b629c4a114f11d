rule catalog:
    """The resolved configuration, beside the results, and what every claim and figure says about itself."""
    output:
        config="results/config.json",
        catalog=CATALOG,
    log:
        "logs/catalog.log",
    benchmark:
        "logs/benchmarks/catalog.tsv"
    resources:
        mem_mb=1000,
    params:
        config=json.dumps(config, sort_keys=True),
        code=code("config", "catalog"),
        words=source_digest("sacrepro.study.claims", "sacrepro.study.drawings"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} config {params.config:q} --output {output.config:q}"
        " --then catalog --output {output.catalog:q} > {log:q} 2>&1"


rule manifest:
    """Configuration, code digest, versions, seeds and checksums of all results; clock and machine in logs/run.json."""
    input:
        config="results/config.json",
        files=PLAN.evidence(),
    output:
        report(
            MANIFEST,
            caption="../captions/manifest.rst",
            category="Document",
            labels={"file": "manifest"},
        ),
    log:
        "logs/manifest.log",
        run="logs/run.json",
    benchmark:
        "logs/benchmarks/manifest.tsv"
    resources:
        mem_mb=1000,
    params:
        code=package_digest(),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} manifest {input.files:q} --config {input.config:q} --log {log.run:q}"
        " --output {output:q} > {log[0]:q} 2>&1"


rule paper:
    """The paper, from results only; what they do not bear out is refused where they are published, else left out."""
    input:
        claims="results/claims.csv",
        manifest=MANIFEST,
        formal="results/formal.csv",
        rows=PLAN.told,
        figures=[f"{FIGURES}/{figure}.svg" for figure in PLAN.drawn],
        template=paper("paper.typ"),
        references=paper("references.bib"),
        page=paper("proofs.md"),
    output:
        report(
            PAPER,
            caption="../captions/paper.rst",
            category="Document",
            labels={"file": "paper"},
        ),
    log:
        "logs/paper.log",
    benchmark:
        "logs/benchmarks/paper.tsv"
    resources:
        mem_mb=1500,
    params:
        code=code("paper"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} paper {input.claims:q} {input.manifest:q}"
        " --template {input.template:q} --references {input.references:q} --formal {input.formal:q} {input.page:q}"
        " --rows {input.rows:q} --figures {input.figures:q} --output {output:q} > {log:q} 2>&1"


rule report:
    """The appendix: every claim, the proofs, the errata, from results only."""
    input:
        claims="results/claims.csv",
        catalog=CATALOG,
        manifest=MANIFEST,
        formal="results/formal.csv",
        figures=[f"{FIGURES}/whole/{figure}.svg" for figure in PLAN.drawn],
        template=paper("appendix.typ"),
        references=paper("references.bib"),
        pages=[paper("proofs.md"), paper("errata.md"), paper("instances.md")],
    output:
        report(
            REPORT,
            caption="../captions/report.rst",
            category="Document",
            labels={"file": "appendix"},
        ),
    log:
        "logs/report.log",
    benchmark:
        "logs/benchmarks/report.tsv"
    resources:
        mem_mb=1500,
    params:
        code=code("report"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} report {input.claims:q} {input.catalog:q} {input.manifest:q}"
        " --template {input.template:q} --references {input.references:q} --pages {input.pages:q}"
        " --figures {input.figures:q} --formal {input.formal:q} --output {output:q} > {log:q} 2>&1"
