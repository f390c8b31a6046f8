# The videos: the world's are rendered here, YouTube's downloaded, the rest is looked for. One job a shard.
rule fetch:
    input:
        manifest="<results>/manifest/{shard}.parquet",
        unpacked=expand("<results>/unpack/{tar}.parquet", tar=range(len(PLAN.tars))),
    output:
        status="<results>/fetch/{shard}.parquet",
    log:
        "<logs>/fetch/{shard}.log",
    benchmark:
        "<benchmarks>/fetch/{shard}.tsv"
    priority: pictures_first
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("fetch")
    resources:
        mem_mb=PLAN.memory("fetch"),
        runtime=PLAN.minutes("fetch") if PLAN.is_by_id else 60,
        # How many shards download at once is the site's patience: see `resources` in the profile.
        yt_slots=1 if PLAN.downloads else 0,
    params:
        config=PLAN.values("fetch"),
        code=PLAN.code("fetch"),
        videos=subpath(output.status, ancestor=2),
    script:
        "../workflow_scripts/fetch.py"
