// What people read. Fill in what stands in [brackets], and have it approved, before anybody is asked.
window.TEXTS = {
  consent: `
    <h1>Sounds and pictures</h1>
    <p>You are invited to a study of [your institution], led by [name, address of contact]. It takes about
      [15] minutes. [What people are paid, if anything.]</p>
    <p>You will hear short sounds and choose among pictures that a computer has made. We keep your choices, how long
      they took, how often you played a sound again, the kind of your browser[, and the number by which
      [the recruiting service] knows you]. We do not ask for your name. [How long it is kept, who sees it, and how it
      can be deleted.]</p>
    <p>Taking part is voluntary. You may stop at any time by closing this page. [Approval number of the ethics board.]</p>`,
  agree: "I am at least 18 years old, have read this, and want to take part.",
  tones: "Please put on headphones or turn your speakers on. You hear some short tones. How many are there?",
  tonesWrong: "That was not right. Please see that your sound is on, and listen once more.",
  tonesFailed: `<h1>Thank you</h1>
    <p>The tones were not counted right, so the sounds of this study cannot be judged on this device, and it ends here.
      You may close this page.</p>`,
  fit: [
    `<h1>Which pictures fit the sound?</h1>
     <p>You hear a sound and see four pictures. Choose <strong>all pictures that fit the sound best</strong>: one or
       several.</p>
     <p>You can play the sound again as often as you like. On a keyboard: <kbd>1</kbd> to <kbd>4</kbd> choose a picture,
       <kbd>R</kbd> plays the sound again, <kbd>Enter</kbd> goes on.</p>`,
    `<h1>Now and then</h1>
     <p>Some questions have no sound and only ask you to choose a certain picture. They show that you read along.</p>
     <p>The first question is for practice.</p>`,
  ],
  match: [
    `<h1>Which picture belongs to the sound?</h1>
     <p>You hear a sound and see four pictures. <strong>One of them</strong> was made for this sound. Which?</p>
     <p>You can play the sound again as often as you like. On a keyboard: <kbd>1</kbd> to <kbd>4</kbd> choose a picture,
       <kbd>R</kbd> plays the sound again. You go on at once with your choice.</p>
     <p>The first question is for practice.</p>`,
  ],
  name: [
    `<h1>What does the picture show?</h1>
     <p>You see a picture that a computer has made. Choose the name that fits best, even if you are not sure.</p>
     <p>The first question is for practice.</p>`,
  ],
  askFit: "Choose all pictures that fit the sound best.",
  askMatch: "Which picture belongs to the sound?",
  askName: "What does the picture show?",
  askPlace: (n) => `This question only asks you to choose <strong>picture ${n}</strong>.`,
  choose: "Please choose at least one picture.",
  practice: "Practice",
  progress: (n, of) => `Question ${n} of ${of}`,
  again: "Play the sound again",
  next: "Continue",
  comments: "Is there something that you would like to tell us? (You may leave this empty.)",
  loading: "Sounds and pictures are loaded.",
  loadFailed: "Something could not be loaded. Please check your connection and load this page again; your answers are kept.",
  saving: "Your answers are being saved. Please do not close this page.",
  saved: "Your answers are saved. You may close this page.",
  download: "Please save this file with your answers, and send it to those who asked you.",
  saveFailed: "Your answers could not be sent. Please try again, or save them as a file and send it to those who asked you.",
  tryAgain: "Try again",
  saveFile: "Save my answers as a file",
  thanks: "Thank you!",
  code: (code) => `Your completion code is <strong class="code">${code}</strong>`,
  tooSmall: "This window is too small for four pictures. Please make it larger, or turn your phone.",
};
