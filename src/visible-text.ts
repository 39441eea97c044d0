/** Whether a person sees anything of it: more than blanks (the braille one too), control characters and what has no width. */
export const isVisible = (text: string): boolean => /[^\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);
