# The autoencoder in whose latents diffusion happens (paper 6.1).
rule vae:
    input:
        packs=packs(*CONFIG.vae.splits),
        encoder=lambda wildcards: trained(own("encoder", wildcards)),
    output:
        expand("<results>/{{again}}vae/{file}", file=TRAINED),
    log:
        "<logs>/{again}vae.log",
    benchmark:
        "<benchmarks>/{again}vae.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(memory("vae")),
        runtime=minutes("vae"),
        gpu=GPUS,
    params:
        config=trained_with("vae"),
        code=code_digest("s2v.train.vae"),
    script:
        "../workflow_scripts/vae.py"
