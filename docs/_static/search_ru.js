/* How many pages a search has found: Sphinx has no Russian for it, and would show nothing. */
Documentation.addTranslations({
  locale: "ru",
  plural_expr:
    "n % 10 == 1 && n % 100 != 11 ? 0" +
    " : n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14) ? 1 : 2",
  messages: {
    "Search finished, found one page matching the search query.": [
      "Найдена ${resultCount} страница.",
      "Найдены ${resultCount} страницы.",
      "Найдено ${resultCount} страниц.",
    ],
  },
});
