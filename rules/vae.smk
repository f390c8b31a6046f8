# The autoencoder in whose latents diffusion happens (paper 6.1).
rule vae:
    input:
        packs=packs(*CONFIG.vae.splits),
        encoder=trained("encoder"),
    output:
        expand("<results>/vae/{file}", file=TRAINED),
    log:
        "<logs>/vae.log",
    benchmark:
        "<benchmarks>/vae.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(memory("vae")),
        runtime=minutes("vae"),
        gpu=GPUS,
    params:
        config=values("vae"),
        code=code_digest("s2v.train.vae"),
    script:
        "../workflow_scripts/vae.py"
