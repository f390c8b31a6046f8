# The wanted videos of tars, for data.videos.source: tar_urls. One job a tar, which is read once.
BY_ID = CONFIG.data.source in ("vggsound", "celebvhq")
TARS = CONFIG.data.videos.tars if BY_ID and CONFIG.data.videos.source == "tar_urls" else []
UNPACKED = expand("<results>/unpack/{tar}.parquet", tar=range(len(TARS)))


rule unpack:
    input:
        manifest=expand("<results>/manifest/{shard}.parquet", shard=SHARDS),
    output:
        listing="<results>/unpack/{tar}.parquet",
    log:
        "<logs>/unpack/{tar}.log",
    benchmark:
        "<benchmarks>/unpack/{tar}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(memory("unpack")),
        runtime=minutes("unpack"),
    params:
        tar=lambda wildcards: TARS[int(wildcards.tar)],
        videos=subpath(output.listing, ancestor=2),
        code=code_digest("s2v.data.unpack"),
    script:
        "../workflow_scripts/unpack.py"
