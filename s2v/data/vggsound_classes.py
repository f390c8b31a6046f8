"""The 50 classes of VGGSound that the paper uses, from the list that its authors published with their code."""

PAPER_50 = (
    "airplane flyby", "ambulance siren", "baby crying", "baby laughter", "car engine idling", "cat purring",
    "chainsawing trees", "church bell ringing", "train whistling", "train horning", "cow lowing", "dog barking",
    "elk bugling", "fire truck siren", "gibbon howling", "hail", "lawn mowing", "volcano explosion",
    "stream burbling", "waterfall burbling", "orchestra", "owl hooting", "people cheering", "people crowd",
    "people marching", "playing bassoon", "playing drum kit", "playing harp", "playing harpsichord",
    "playing snare drum", "playing timbales", "printer printing", "scuba diving", "sea waves", "sheep bleating",
    "singing choir", "skiing", "slot machine", "snake hissing", "tractor digging", "underwater bubbling",
    "railroad car, train wagon", "train wheels squealing", "baltimore oriole calling", "car engine knocking",
    "driving snowmobile", "wood thrush calling", "hedge trimmer running", "ice cream truck, ice cream van",
    "woodpecker pecking tree",
)  # fmt: skip
