// The page of a study: it asks what design.js lists, keeps every answer in the browser, and sends it where it may go.
// It knows nothing of methods and classes; the key that does stays at home.
"use strict";

(() => {
  const study = window.STUDY;
  const texts = window.TEXTS;
  const address = new URLSearchParams(location.search);
  const media = (name, ending) => `media/${name}.${ending}`;

  // ---- who is asked, and what is there of their answers ------------------------------------------------------------
  const IDS = ["PROLIFIC_PID", "participant", "workerId", "person"];
  const SOURCE = [...IDS, "STUDY_ID", "SESSION_ID", "assignmentId", "hitId", "list"];

  const store = {
    get(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* private window: no resuming */ } },
  };

  function whoIsIt() {
    const told = IDS.map((id) => address.get(id)).find((one) => one);
    if (told) return told.slice(0, 100);
    const jatos = window.jatos && (jatos.workerId || jatos.studyResultId);
    if (jatos) return `jatos-${jatos}`;
    const key = `s2v-study-${study.study}-person`;
    const known = store.get(key);
    if (typeof known === "string") return known;
    const drawn = [...crypto.getRandomValues(new Uint8Array(8))].map((one) => one.toString(16).padStart(2, "0")).join("");
    store.set(key, drawn);
    return drawn;
  }

  function hashed(text) {  // FNV-1a: the same person gets the same list wherever nobody hands lists out
    let found = 2166136261;
    for (const letter of text) found = Math.imul(found ^ letter.codePointAt(0), 16777619) >>> 0;
    return found;
  }

  const person = whoIsIt();
  const place = `s2v-study-${study.study}-${person}`;
  let kept = store.get(place);

  async function begin() {
    if (kept && kept.study === study.study && kept.listed < study.lists.length) return;
    let list = address.get("list") === null ? NaN : Number(address.get("list"));
    if (!(Number.isInteger(list) && list >= 0 && list < study.lists.length)) list = hashed(person) % study.lists.length;
    if (study.save === "serve") {
      try {
        const told = await (await fetch(`list?person=${encodeURIComponent(person)}`)).json();
        list = told.list;
        if (told.record) { kept = { ...told.record, agreed: true }; store.set(place, kept); return; }
      } catch { /* the list by hash will do */ }
    }
    const source = {};
    for (const name of SOURCE) if (address.get(name)) source[name] = address.get(name).slice(0, 200);
    kept = {
      study: study.study, listed: list, person, answers: [], started: new Date().toISOString(), finished: null,
      sound_check: 0, comments: "", agent: navigator.userAgent.slice(0, 500), source, agreed: false, heard: false,
    };
    store.set(place, kept);
  }

  function record() {
    const { agreed, heard, ...rest } = kept;
    return rest;
  }

  function keep(answer) {
    if (!kept.answers.some((one) => one.question === answer.question)) kept.answers.push(answer);
    store.set(place, kept);
    if (study.save === "serve") send().catch(() => {});  // the whole goes with the next answer too
  }

  async function send() {
    const where = study.save === "serve" ? "answers" : study.save;
    const done = await fetch(where, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(record()), keepalive: false,
    });
    if (!done.ok) throw new Error(`${done.status}`);
  }

  // ---- sounds --------------------------------------------------------------------------------------------------------
  let playing = null;

  function hear(sound, root) {
    const state = { replays: 0 };
    if (!sound) return state;
    const audio = new Audio(media(sound, "mp3"));
    playing = audio;
    const play = () => { audio.currentTime = 0; audio.play().catch(() => {}); };
    root.querySelector(".again").addEventListener("click", () => { state.replays += 1; play(); });
    play();
    return state;
  }

  function hush() {
    if (playing) playing.pause();
    playing = null;
  }

  const again = (sound) => (sound ? `<p><button type="button" class="jspsych-btn again">&#9654; ${texts.again}</button></p>` : "");

  let keys = null;

  function onKeys(act) {
    keys = (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
      if (event.target && event.target.matches && event.target.matches("textarea, input[type=text], select")) return;
      act(event);
    };
    document.addEventListener("keydown", keys);
  }

  function offKeys() {
    if (keys) document.removeEventListener("keydown", keys);
    keys = null;
  }

  const replayOn = (event) => {
    if (event.key.toLowerCase() === "r") { const button = document.querySelector(".again"); if (button) button.click(); }
  };

  // ---- questions -----------------------------------------------------------------------------------------------------
  const head = (shown, ask) => `<p class="progress">${shown}</p><p class="ask">${ask}</p>`;
  const picture = (name, i) =>
    `<img src="${media(name, "png")}" alt="picture ${i + 1}" draggable="false"><span class="number">${i + 1}</span>`;

  function fit(question, shown, done) {
    const boxes = question.pictures.map(
      (name, i) => `<label class="picture">${picture(name, i)}<input type="checkbox" name="p${i}" value="1"></label>`);
    let state = null;
    return {
      type: jsPsychSurveyHtmlForm,
      preamble: head(shown, question.wanted ? texts.askPlace(question.wanted) : texts.askFit) + again(question.sound),
      html: `<div class="pictures">${boxes.join("")}</div><p class="warn" role="alert"></p>`,
      button_label: texts.next,
      on_load: () => {
        const root = document.querySelector(".jspsych-content");
        const form = root.querySelector("form");
        const inputs = [...form.querySelectorAll("input[type=checkbox]")];
        state = hear(question.sound, root);
        form.addEventListener("submit", (event) => {
          if (inputs.some((one) => one.checked)) return;
          event.preventDefault();
          event.stopImmediatePropagation();
          root.querySelector(".warn").textContent = texts.choose;
        }, true);
        onKeys((event) => {
          const n = Number(event.key);
          if (n >= 1 && n <= inputs.length) { inputs[n - 1].click(); event.preventDefault(); }
          else if (event.key === "Enter" && event.target.type !== "submit" && !event.target.classList.contains("again")) {
            form.requestSubmit();
            event.preventDefault();
          } else replayOn(event);
        });
      },
      on_finish: (data) => {
        offKeys();
        hush();
        const chosen = question.pictures.filter((_, i) => data.response[`p${i}`] !== undefined);
        done({ question: question.name, chosen, rt_ms: Math.round(data.rt), replays: state.replays });
      },
    };
  }

  function match(question, shown, done) {
    let state = null;
    return {
      type: jsPsychHtmlMultiResponse,
      stimulus: head(shown, question.wanted ? texts.askPlace(question.wanted) : texts.askMatch) + again(question.sound),
      button_choices: question.pictures,
      button_html: (name, i) => `<button type="button" class="picture">${picture(name, i)}</button>`,
      keyboard_choices: question.pictures.map((_, i) => String(i + 1)),
      on_load: () => {
        state = hear(question.sound, document.querySelector(".jspsych-content"));
        onKeys(replayOn);
      },
      on_finish: (data) => {
        offKeys();
        hush();
        const i = data.button_response === null ? Number(data.keyboard_response) - 1 : data.button_response;
        done({ question: question.name, chosen: [question.pictures[i]], rt_ms: Math.round(data.rt), replays: state.replays });
      },
    };
  }

  const escaped = (text) => text.replace(/[&<>"']/g, (one) => `&#${one.codePointAt(0)};`);

  function name(question, shown, done) {
    // Too many for buttons are a list, in which letters that are typed find their name.
    const many = study.classes.length > 24;
    const rows = study.classes.map((one, i) => (many ? `<option value="${i}">${escaped(one)}</option>`
      : `<label><input type="radio" name="name" value="${i}" required> ${escaped(one)}</label>`));
    const choices = many ? `<select name="name" required><option value=""></option>${rows.join("")}</select>` : rows.join("");
    return {
      type: jsPsychSurveyHtmlForm,
      preamble: head(shown, texts.askName),
      html: `<div class="single"><img src="${media(question.pictures[0], "png")}" alt="the picture"></div>
             <fieldset class="names"><legend>${texts.askName}</legend>${choices}</fieldset>`,
      button_label: texts.next,
      on_finish: (data) => done({
        question: question.name, chosen: [study.classes[Number(data.response.name)]], rt_ms: Math.round(data.rt), replays: 0,
      }),
    };
  }

  const asking = { fit, match, name };

  // ---- the way through -----------------------------------------------------------------------------------------------
  function way(jsPsych) {
    const parts = study.lists[kept.listed];
    const answered = new Set(kept.answers.map((one) => one.question));
    const open = parts.map((part) => part.questions.filter((one) => !answered.has(one.name)));
    const total = parts.reduce((sum, part) => sum + part.questions.length, 0);
    let n = answered.size;
    const needed = new Set(), heard = new Set();
    parts.forEach((part, i) => [...open[i], study.practice[part.experiment]].forEach((one) => {
      one.pictures.forEach((name) => needed.add(media(name, "png")));
      if (one.sound) heard.add(media(one.sound, "mp3"));
    }));
    const sounds = heard.size > 0;
    const steps = [
      { type: jsPsychBrowserCheck, minimum_width: 300, minimum_height: 300, window_resize_message: `<p>${texts.tooSmall}</p>`,
        allow_window_resize: true, skip_features: ["fullscreen", "vsync_rate", "webcam", "microphone"] },
    ];
    if (!kept.agreed) steps.push({
      type: jsPsychSurveyHtmlForm,
      preamble: `<div class="text">${texts.consent}</div>`,
      html: `<p class="text"><label><input type="checkbox" name="agree" required> ${texts.agree}</label></p>`,
      button_label: texts.next,
      on_finish: () => { kept.agreed = true; store.set(place, kept); },
    });
    steps.push({
      type: jsPsychPreload, images: [...needed], audio: sounds ? ["media/tones.mp3"] : [], message: `<p>${texts.loading}</p>`,
      error_message: `<p role="alert">${texts.loadFailed}</p>`, max_load_time: 120000, show_detailed_errors: false,
    });
    if (sounds && !kept.heard) {
      let tries = 0, right = false;
      steps.push({
        timeline: [{
          type: jsPsychAudioButtonResponse, stimulus: "media/tones.mp3", choices: ["1", "2", "3", "4", "5"],
          prompt: () => `<p class="text">${texts.tones}</p><p class="warn" role="alert">${tries ? texts.tonesWrong : ""}</p>`,
          on_finish: (data) => {
            tries += 1;
            right = Number(data.response) + 1 === study.tones;
            kept.sound_check += 1;
            kept.heard = right;
            store.set(place, kept);
          },
        }],
        loop_function: () => {
          if (right) return false;
          if (kept.sound_check < 3) return true;
          jsPsych.abortExperiment(`<div class="text">${texts.tonesFailed}</div>`);
          return false;
        },
      });
    }
    parts.forEach((part, i) => {
      if (!open[i].length) return;
      const ask = asking[part.experiment];
      steps.push({
        type: jsPsychInstructions, pages: texts[part.experiment].map((one) => `<div class="text">${one}</div>`),
        show_clickable_nav: true, button_label_next: texts.next, allow_backward: true,
      });
      if (open[i].length === part.questions.length) steps.push(ask(study.practice[part.experiment], texts.practice, () => {}));
      open[i].forEach((question) => { n += 1; steps.push(ask(question, texts.progress(n, total), keep)); });
    });
    if (!kept.finished) steps.push({
      type: jsPsychSurveyHtmlForm,
      html: `<p class="text"><label for="comments">${texts.comments}</label></p>
             <textarea id="comments" name="comments" rows="4" cols="40" maxlength="2000"></textarea>`,
      button_label: texts.next,
      on_finish: (data) => {
        kept.comments = String(data.response.comments || "").slice(0, 2000);
        kept.finished = new Date().toISOString();
        store.set(place, kept);
        data.record = JSON.stringify(record());  // hosts that keep jsPsych's own data find the whole here
      },
    });
    return steps;
  }

  function file() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(record())], { type: "application/json" }));
    link.download = `answers-${study.study}-${hashed(person).toString(16)}.json`;
    link.click();
  }

  async function end(root) {
    const code = study.code ? `<p>${texts.code(escaped(study.code))}</p>` : "";
    const say = (words, more = "") => { root.innerHTML = `<div class="text"><h1>${texts.thanks}</h1><p id="end">${words}</p>${more}</div>`; };
    say(texts.saving);
    if (window.jatos) {
      await jatos.submitResultData(`${JSON.stringify(record())}\n`);
      say(texts.saved, code);
      return;
    }
    if (!study.save) {
      say(texts.download, `<p><button class="jspsych-btn" id="file">${texts.saveFile}</button></p>${code}`);
      root.querySelector("#file").addEventListener("click", file);
      return;
    }
    try {
      await send();
      say(texts.saved, code);
    } catch {
      say(texts.saveFailed, `<p><button class="jspsych-btn" id="retry">${texts.tryAgain}</button>
        <button class="jspsych-btn" id="file">${texts.saveFile}</button></p>`);
      root.querySelector("#retry").addEventListener("click", () => end(root));
      root.querySelector("#file").addEventListener("click", file);
    }
  }

  async function main() {
    await begin();
    const jsPsych = initJsPsych({
      on_finish: () => { if (kept.finished) end(document.querySelector(".jspsych-content") || document.body); },
    });
    window.addEventListener("pagehide", hush);
    jsPsych.run(way(jsPsych));
  }

  if (window.jatos && jatos.onLoad) jatos.onLoad(main);
  else main();
})();
