# The latent diffusion model, conditioned on the ViT's feature (paper 6.1, Eq. 3-4).
rule diffusion:
    input:
        latents=expand("<results>/latents/{split}.safetensors", split=CONFIG.diffusion.splits),
        features=expand("<results>/embed_vit/{split}.safetensors", split=CONFIG.diffusion.splits),
        vae=trained("vae"),
    output:
        expand("<results>/diffusion/{file}", file=TRAINED),
    log:
        "<logs>/diffusion.log",
    benchmark:
        "<benchmarks>/diffusion.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(memory("diffusion")),
        runtime=minutes("diffusion"),
        gpu=GPUS,
    params:
        config=values("diffusion"),
        code=code_digest("s2v.train.diffusion"),
    script:
        "../workflow_scripts/diffusion.py"
