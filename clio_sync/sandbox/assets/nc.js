"use strict";

// Clio's own links carry the page in the fragment, which only a script can read.
const go = () => {
  const wanted = /^#\/(documents|matters)\/(\d+)/.exec(window.location.hash);
  if (wanted) {
    window.location.replace(`/${wanted[1]}/${wanted[2]}`);
  }
};

window.addEventListener("hashchange", go);
go();
