# The latent diffusion model, conditioned on the ViT's feature (paper 6.1, Eq. 3-4).
rule diffusion:
    input:
        latents=PLAN.cached("latents", CONFIG.diffusion.splits),
        features=PLAN.cached("embed_vit", CONFIG.diffusion.splits),
        vae=PLAN.model("vae"),
    output:
        expand("<results>/{{again}}diffusion/{file}", file=TRAINED),
    log:
        "<logs>/{again}diffusion.log",
    benchmark:
        "<benchmarks>/{again}diffusion.tsv"
    priority: LONGEST
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("diffusion")
    resources:
        mem_mb=PLAN.memory("diffusion"),
        runtime=PLAN.minutes("diffusion"),
        gpu=PLAN.gpus("diffusion"),
    params:
        config=PLAN.trained_with("diffusion"),
        code=PLAN.code("diffusion"),
    script:
        "../workflow_scripts/diffusion.py"
