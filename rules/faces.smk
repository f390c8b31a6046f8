# Faces from voices (paper 6.2, Figures 20 and 21), measured on people of whom everything is known.
if CONFIG.data.source == "speakers":

    rule face_reader:
        input:
            packs=PLAN.packs(CONFIG.face_reader.split),
            truth=PLAN.truth,
        output:
            expand("<results>/face_reader/{file}", file=TRAINED),
        log:
            "<logs>/face_reader.log",
        benchmark:
            "<benchmarks>/face_reader.tsv"
        conda:
            "../envs/s2v.yaml"
        threads: PLAN.threads("face_reader")
        resources:
            mem_mb=PLAN.memory("face_reader"),
            runtime=PLAN.minutes("face_reader"),
            gpu=PLAN.gpus("face_reader"),
        params:
            config=PLAN.values("face_reader"),
            code=PLAN.code("face_reader"),
        script:
            "../workflow_scripts/face_reader.py"

    rule faces:
        input:
            pictures=[f"<results>/generate/sound2vision_ldm/{seed}.tar" for seed in CONFIG.generate.seeds],
            packs=PLAN.packs(CONFIG.generate.split),
            truth=PLAN.truth,
            reader=trained("face_reader"),
            encoder=trained("encoder_vit"),
            align=trained("align_ldm"),
            generator=trained("diffusion"),
            vae=trained("vae"),
        output:
            csv=report(
                "<results>/faces.csv",
                caption="../report/faces.rst",
                category="Tables",
                labels={"of the paper": "faces"},
            ),
            markdown="<results>/faces.md",
            quantities="<results>/claims/faces.json",
            figure=report(
                "<results>/fig20.png",
                caption="../report/faces.rst",
                category="Figures",
                labels={"of the paper": "fig20"},
            ),
        log:
            "<logs>/faces.log",
        benchmark:
            "<benchmarks>/faces.tsv"
        conda:
            "../envs/s2v.yaml"
        threads: PLAN.threads("faces")
        resources:
            mem_mb=PLAN.memory("faces"),
            runtime=PLAN.minutes("faces"),
            gpu=PLAN.gpus("faces"),
        params:
            generate=PLAN.values("generate"),
            speakers=CONFIG.data.speakers.model_dump(mode="json"),
            bootstrap=CONFIG.evaluate.bootstrap,
            code=PLAN.code("faces"),
        script:
            "../workflow_scripts/faces.py"

    # Speech and another sound in one picture; f_A of the other sounds is a variant of alignment.
    if CONFIG.data.speakers.scenes:

        rule fig21:
            input:
                val=PLAN.packs("val"),
                test=PLAN.packs(CONFIG.generate.split),
                scenes=PLAN.packs("scenes"),
                truth=PLAN.truth,
                reader=trained("face_reader"),
                encoder=trained("encoder_vit"),
                align=trained("align_ldm"),
                scenes_align=trained(f"{SCENES}align_ldm"),
                generator=trained("diffusion"),
                vae=trained("vae"),
            output:
                figure=report(
                    "<results>/fig21.png",
                    caption="../report/fig21.rst",
                    category="Figures",
                    labels={"of the paper": "fig21"},
                ),
                csv="<results>/fig21.csv",
                markdown="<results>/fig21.md",
                quantities="<results>/claims/fig21.json",
            log:
                "<logs>/fig21.log",
            benchmark:
                "<benchmarks>/fig21.tsv"
            conda:
                "../envs/s2v.yaml"
            threads: PLAN.threads("fig21")
            resources:
                mem_mb=PLAN.memory("fig21"),
                runtime=PLAN.minutes("fig21"),
                gpu=PLAN.gpus("fig21"),
            params:
                generate=PLAN.values("generate"),
                bootstrap=CONFIG.evaluate.bootstrap,
                code=PLAN.code("fig21"),
            script:
                "../workflow_scripts/fig21.py"


# Of real people heads are all that is compared.
elif CONFIG.heads.command:

    rule heads:
        input:
            pictures=f"<results>/generate/{CONFIG.heads.method}/{CONFIG.generate.seeds[0]}.tar",
            packs=PLAN.packs(CONFIG.generate.split),
        output:
            csv="<results>/heads.csv",
            markdown="<results>/heads.md",
            figure=report(
                "<results>/fig20.png",
                caption="../report/heads.rst",
                category="Figures",
                labels={"of the paper": "fig20"},
            ),
        log:
            "<logs>/heads.log",
        benchmark:
            "<benchmarks>/heads.tsv"
        conda:
            "../envs/s2v.yaml"
        threads: PLAN.threads("heads")
        resources:
            mem_mb=PLAN.memory("heads"),
            runtime=PLAN.minutes("heads"),
        params:
            config=PLAN.values("heads"),
            bootstrap=CONFIG.evaluate.bootstrap,
            seed=CONFIG.generate.seeds[0],
            code=PLAN.code("heads"),
        script:
            "../workflow_scripts/heads.py"
