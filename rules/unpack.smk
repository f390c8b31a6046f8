# The wanted videos of tars, for data.videos.source: tar_urls. One job a tar, which is read once.
rule unpack:
    input:
        manifest=expand("<results>/manifest/{shard}.parquet", shard=PLAN.shards),
    output:
        listing="<results>/unpack/{tar}.parquet",
    log:
        "<logs>/unpack/{tar}.log",
    benchmark:
        "<benchmarks>/unpack/{tar}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("unpack")
    resources:
        mem_mb=PLAN.memory("unpack"),
        runtime=PLAN.minutes("unpack"),
    params:
        tar=lambda wildcards: without_passwords(PLAN.tars[int(wildcards.tar)]),
        videos=subpath(output.listing, ancestor=2),
        code=PLAN.code("unpack"),
    script:
        "../workflow_scripts/unpack.py"
