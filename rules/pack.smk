# WebDataset shards, one tar for each split; a shard is read once for all of them.
rule pack:
    input:
        manifest="<results>/manifest/{shard}.parquet",
        tar="<results>/extract/{shard}.tar",
        selection="<results>/select/{shard}.parquet",
        left_out=[*PLAN.duplicates, *PLAN.unselected],
    output:
        tars=expand("<results>/pack/{split}/{{shard}}.tar", split=PLAN.pairs),
        indices=expand("<results>/pack/{split}/{{shard}}.json", split=PLAN.pairs),
    log:
        "<logs>/pack/{shard}.log",
    benchmark:
        "<benchmarks>/pack/{shard}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("pack")
    resources:
        mem_mb=PLAN.memory("pack"),
        runtime=PLAN.minutes("pack"),
    params:
        keep=PLAN.pairs,
        code=PLAN.code("pack"),
    script:
        "../workflow_scripts/pack.py"


# Splits of which no frame is chosen: they do not wait for the selection, and do not change with it.
if PLAN.whole:

    use rule pack as pack_frames with:
        input:
            manifest="<results>/manifest/{shard}.parquet",
            tar="<results>/extract/{shard}.tar",
            selection=[],
            left_out=PLAN.duplicates,
        output:
            tars=expand("<results>/pack/{split}/{{shard}}.tar", split=PLAN.whole),
            indices=expand("<results>/pack/{split}/{{shard}}.json", split=PLAN.whole),
        log:
            "<logs>/pack_frames/{shard}.log",
        benchmark:
            "<benchmarks>/pack_frames/{shard}.tsv"
        priority: pictures_first
        params:
            keep=PLAN.whole,
            code=PLAN.code("pack_frames"),
