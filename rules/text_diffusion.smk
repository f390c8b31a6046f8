# The latent diffusion model that sees a sentence: it stands in for Stable Diffusion under AudioToken (Table 3, row C).
rule text_diffusion:
    input:
        packs=PLAN.packs(CONFIG.text_diffusion.split),
        vae=PLAN.model("vae"),
    output:
        expand("<results>/{{again}}text_diffusion/{file}", file=TRAINED),
    log:
        "<logs>/{again}text_diffusion.log",
    benchmark:
        "<benchmarks>/{again}text_diffusion.tsv"
    priority: LONG
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("text_diffusion")
    resources:
        mem_mb=PLAN.memory("text_diffusion"),
        runtime=PLAN.minutes("text_diffusion"),
        gpu=PLAN.gpus("text_diffusion"),
    params:
        config=PLAN.trained_with("text_diffusion"),
        code=PLAN.code("text_diffusion"),
    script:
        "../workflow_scripts/text_diffusion.py"
