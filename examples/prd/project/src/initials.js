/** The first letters of somebody's two names. */
export const initials = (name) =>
  name
    .split(" ", 2)
    .map((part) => part.slice(0, 1))
    .join("");
