// The builder hands over the text of an SVG file.
declare module '*.svg' {
  const source: string;
  export default source;
}
