rule formal:
    """What the Coq library proves, checked where there is a coqc; what is compiled is kept beside the library."""
    input:
        project=paper("formal/_CoqProject"),
        files=sorted(Path(ROOT, "paper", "formal").glob("*.v")),
    output:
        "results/formal.csv",
    log:
        "logs/formal.log",
    benchmark:
        "logs/benchmarks/formal.tsv"
    resources:
        mem_mb=1000,
    params:
        code=code("formal"),
        folder=lambda wildcards, input: Path(input.project).parent.as_posix(),
        coq=shutil.which("coqc") is not None,
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} formal {params.folder:q} --output {output:q} > {log:q} 2>&1"
