declare module '*.css' {
  const content: string;
  export default content;
}

declare module '*.script.js' {
  const content: string;
  export default content;
}
