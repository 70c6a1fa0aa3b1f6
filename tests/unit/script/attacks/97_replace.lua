return (("x"):rep(2000):gsub("", ("y"):rep(2000)))
