# The videos: the world's are rendered here, YouTube's downloaded, the rest is looked for. One job a shard.
VIDEO_SOURCE = CONFIG.data.videos.source if BY_ID else None


rule fetch:
    input:
        manifest="<results>/manifest/{shard}.parquet",
        unpacked=UNPACKED,
    output:
        status="<results>/fetch/{shard}.parquet",
    log:
        "<logs>/fetch/{shard}.log",
    benchmark:
        "<benchmarks>/fetch/{shard}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(memory("fetch")),
        runtime=minutes("fetch") if BY_ID else 60,
        # How many shards download at once is the site's patience: see `resources` in the profile.
        yt_slots=1 if VIDEO_SOURCE == "youtube" else 0,
    params:
        config=values("data"),
        code=code_digest("s2v.data.fetch", without=unused(CONFIG.data)),
        videos=subpath(output.status, ancestor=2),
    script:
        "../workflow_scripts/fetch.py"
