# WebDataset shards of one split each. A split of which every frame is kept does not wait for the selection.
rule pack:
    input:
        manifest="<results>/manifest/{shard}.parquet",
        tar="<results>/extract/{shard}.tar",
        selection=branch(
            lambda wildcards: CONFIG.pack.keep.get(wildcards.split) == "all",
            then=[],
            otherwise="<results>/select/{shard}.parquet",
        ),
    output:
        tar="<results>/pack/{split}/{shard}.tar",
        index="<results>/pack/{split}/{shard}.json",
    log:
        "<logs>/pack/{split}/{shard}.log",
    benchmark:
        "<benchmarks>/pack/{split}/{shard}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(60),
    params:
        keep=lambda wildcards: CONFIG.pack.keep.get(wildcards.split, "selected"),
        code=code_digest("s2v.data.pack"),
    script:
        "../workflow_scripts/pack.py"
