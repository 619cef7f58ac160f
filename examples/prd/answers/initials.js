/** The first letters of somebody's names. */
export const initials = (name) =>
  name
    .split(/[\s-]+/)
    .map((part) => part.slice(0, 1).toUpperCase())
    .join("");
