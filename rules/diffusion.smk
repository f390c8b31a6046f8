# The latent diffusion model, conditioned on the ViT's feature (paper 6.1, Eq. 3-4).
rule diffusion:
    input:
        latents=lambda wildcards: expand(
            f"<results>/{own('latents', wildcards)}/{{split}}.safetensors", split=CONFIG.diffusion.splits
        ),
        features=lambda wildcards: expand(
            f"<results>/{own('embed_vit', wildcards)}/{{split}}.safetensors", split=CONFIG.diffusion.splits
        ),
        vae=lambda wildcards: trained(own("vae", wildcards)),
    output:
        expand("<results>/{{again}}diffusion/{file}", file=TRAINED),
    log:
        "<logs>/{again}diffusion.log",
    benchmark:
        "<benchmarks>/{again}diffusion.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(memory("diffusion")),
        runtime=minutes("diffusion"),
        gpu=GPUS,
    params:
        config=trained_with("diffusion"),
        code=code_digest("s2v.train.diffusion"),
    script:
        "../workflow_scripts/diffusion.py"
