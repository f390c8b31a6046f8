# The autoencoder in whose latents diffusion happens (paper 6.1).
rule vae:
    input:
        packs=PLAN.packs(*CONFIG.vae.splits),
        # Where no distance of f_V's maps is taken, it waits for none.
        encoder=PLAN.model("encoder") if CONFIG.vae.perceptual_weight else [],
    output:
        expand("<results>/{{again}}vae/{file}", file=TRAINED),
    log:
        "<logs>/{again}vae.log",
    benchmark:
        "<benchmarks>/{again}vae.tsv"
    priority: LONGEST
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("vae")
    resources:
        mem_mb=PLAN.memory("vae"),
        runtime=PLAN.minutes("vae"),
        gpu=PLAN.gpus("vae"),
    params:
        config=PLAN.trained_with("vae"),
        code=PLAN.code("vae"),
    script:
        "../workflow_scripts/vae.py"
