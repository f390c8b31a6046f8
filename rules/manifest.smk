# What clips there are: one row a clip, split over a fixed number of shards by a hash of the clip's id.
SOURCE_CODE = MODULES[CONFIG.data.source]
WATCHED = CONFIG.data.section().watched()


rule manifest:
    output:
        shards=expand("<results>/manifest/{shard}.parquet", shard=SHARDS),
        truth=["<results>/world/truth.parquet"] if CONFIG.data.source == "world" else [],
    log:
        "<logs>/manifest.log",
    benchmark:
        "<benchmarks>/manifest.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(memory("manifest")),
        runtime=growing(minutes("manifest")),
    params:
        config=values("data", "videos"),
        code=code_digest("s2v.data.manifest", SOURCE_CODE),
        # A folder or a list may change without the configuration.
        listing=tree_digest(WATCHED[0], *WATCHED[1]),
    script:
        "../workflow_scripts/manifest.py"
