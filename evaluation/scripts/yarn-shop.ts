/**
 * Feedback for a yarn shop, composed of our own sentences: praise and blame in words that no
 * opinion list has.
 */
import type { SentimentRow } from "../labelled-sets.ts";
import { randomNumbers, shuffled } from "../training/logistic-regression.ts";

const SUBJECTS = [
  "The merino",
  "This sock yarn",
  "Your mohair",
  "The grey hank",
  "The alpaca blend",
  "My second skein",
  "The undyed tweed",
  "This lace weight",
];

const PREDICATES: Record<SentimentRow["label"], string[]> = {
  positive: [
    "is squishy and plump",
    "drapes like water",
    "bloomed in the first wash",
    "glides over my needles",
    "knits up even, row after row",
    "has stitches that pop",
    "is bouncy to the last metre",
    "held its twist through four froggings",
  ],
  negative: [
    "is splitty at every stitch",
    "pilled on the second day",
    "bled all over the white stripes",
    "barfed in the middle of the ball",
    "has knots in every hank",
    "felted to itself in the bag",
    "pooled into zigzags",
    "sheds on my coat like a cat",
  ],
  neutral: [
    "came on 3.5 mm needles in your picture",
    "is a four ply of 100 grams",
    "took me one swatch and a half",
    "is going to be a cowl",
    "lies in the basket with the blue one",
    "is what I cast on last night",
    "has the dye lot 12",
    "will be wound into two cakes",
  ],
};

const TAILS = [
  "",
  ", for a shawl",
  ", in the lace part",
  ", as my pattern has it",
  ", both cakes of it",
  ", in colour seven",
];

/**
 * This many different texts (at most 1,152), about a third of them for each sentiment. The same
 * seed gives the same texts.
 */
export function yarnShop(size: number, seed = 1): SentimentRow[] {
  const random = randomNumbers(seed);
  const rows = (Object.keys(PREDICATES) as SentimentRow["label"][]).flatMap((label) =>
    PREDICATES[label].flatMap((predicate) =>
      SUBJECTS.flatMap((subject) => TAILS.map((tail) => ({ text: `${subject} ${predicate}${tail}.`, label }))),
    ),
  );
  return shuffled(rows, random).slice(0, size);
}
