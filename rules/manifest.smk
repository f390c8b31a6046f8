# What clips there are: one row a clip, split over a fixed number of shards by a hash of the clip's id.
rule manifest:
    output:
        shards=expand("<results>/manifest/{shard}.parquet", shard=PLAN.shards),
        truth=PLAN.truth,
    log:
        "<logs>/manifest.log",
    benchmark:
        "<benchmarks>/manifest.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("manifest")
    resources:
        mem_mb=PLAN.memory("manifest"),
        runtime=PLAN.minutes("manifest"),
    params:
        config=PLAN.values("manifest", "videos"),
        code=PLAN.code("manifest"),
        # A folder or a list may change without the configuration.
        listing=PLAN.listing(),
    script:
        "../workflow_scripts/manifest.py"
