# The works of bench/survey.py with R survey:  Rscript bench/survey.R WORK FOLDER N ITEMS
arguments <- commandArgs(TRUE)
work <- arguments[1]
folder <- arguments[2]
n <- as.integer(arguments[3])
items <- as.integer(arguments[4])
if (work %in% c("medians", "raking")) items <- 1L
suppressMessages(library(survey))
options(survey.lonely.psu = "adjust", digits = 17)

column <- function(name, what, size) readBin(file.path(folder, paste0(name, ".bin")), what, size)
data <- data.frame(h = column("h", "integer", n), d = column("d", "integer", n),
                   w = column("w", "double", n), N = column("N", "double", n))
y <- matrix(column("y", "double", n * items), n)
for (i in seq_len(items)) data[[paste0("y", i - 1)]] <- y[, i]
for (i in 0:2) data[[paste0("m", i)]] <- column(paste0("m", i), "integer", n)
rm(y)

building <- system.time(design <- svydesign(ids = ~1, strata = ~h, weights = ~w, fpc = ~N, data = data))
if (work == "means") {
  formula <- as.formula(paste("~", paste0("y", seq_len(items) - 1, collapse = "+")))
  time <- system.time(found <- svyby(formula, ~d, design, svymean))
  se <- SE(found)
  result <- c(found$y0[1], se[1, 1], se[nrow(se), 1])
} else if (work == "medians") {
  time <- system.time(found <- svyby(~y0, ~d, design, svyquantile, quantiles = 0.5, qrule = "math",
                                     interval.type = "mean", ci = TRUE))
  se <- SE(found)
  result <- c(found$y0[1], se[1], se[length(se)])
} else {
  sizes <- c(60L, 4L, 5L)
  margins <- lapply(0:2, function(i) {
    frame <- data.frame(0:(sizes[i + 1] - 1), column(paste0("t", i), "double", sizes[i + 1]))
    setNames(frame, c(paste0("m", i), "Freq"))
  })
  # epsilon is an absolute difference of totals where it is 1 or more, else a share of the total
  time <- system.time(found <- rake(design, list(~m0, ~m1, ~m2), margins,
                                    control = list(maxit = 500, epsilon = 1e-11)))
  result <- weights(found)[1:3]
}
status <- readLines("/proc/self/status")
peak <- as.numeric(gsub("[^0-9]", "", grep("VmHWM", status, value = TRUE))) / 1024
cat(sprintf('{"cpu": %.6f, "wall": %.6f, "mb": %.1f, "building": %.3f, "result": [%s]}\n',
            sum(time[1:2]), time[3], peak, sum(building[1:2]),
            paste(sprintf("%.17g", result), collapse = ", ")))
