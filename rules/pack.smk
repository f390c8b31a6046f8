# WebDataset shards, one tar for each split; a shard is read once for all of them.
FRAMES = [split for split in SPLITS if CONFIG.pack.keep.get(split) == "all"]
PAIRS = [split for split in SPLITS if split not in FRAMES]


rule pack:
    input:
        manifest="<results>/manifest/{shard}.parquet",
        tar="<results>/extract/{shard}.tar",
        selection="<results>/select/{shard}.parquet",
        left_out=[*DUPLICATES, *UNSELECTED],
    output:
        tars=expand("<results>/pack/{split}/{{shard}}.tar", split=PAIRS),
        indices=expand("<results>/pack/{split}/{{shard}}.json", split=PAIRS),
    log:
        "<logs>/pack/{shard}.log",
    benchmark:
        "<benchmarks>/pack/{shard}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(memory("pack")),
        runtime=growing(minutes("pack")),
    params:
        splits=PAIRS,
        keep="selected",
        code=code_digest("s2v.data.pack"),
    script:
        "../workflow_scripts/pack.py"


# Splits of which every frame is kept: they do not wait for the selection, and do not change with it.
if FRAMES:

    use rule pack as pack_frames with:
        input:
            manifest="<results>/manifest/{shard}.parquet",
            tar="<results>/extract/{shard}.tar",
            selection=[],
            left_out=DUPLICATES,
        output:
            tars=expand("<results>/pack/{split}/{{shard}}.tar", split=FRAMES),
            indices=expand("<results>/pack/{split}/{{shard}}.json", split=FRAMES),
        log:
            "<logs>/pack_frames/{shard}.log",
        benchmark:
            "<benchmarks>/pack_frames/{shard}.tsv"
        params:
            splits=FRAMES,
            keep="all",
            code=code_digest("s2v.data.pack"),
